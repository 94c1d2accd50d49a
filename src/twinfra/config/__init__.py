"""What a configuration says, whatever language it was written in: dataclasses, loaders and the module installer."""
