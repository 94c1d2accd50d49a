"""The engine: configuration, inputs, state and providers in; a plan or a new state out. It knows no cloud."""
