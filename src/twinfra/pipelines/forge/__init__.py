"""Where pull requests are: their comments, and the plans their jobs kept, by GitHub's, GitLab's and Jenkins' APIs."""
