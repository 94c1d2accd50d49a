resource "terraform_data" "a" {
  input = "made"

  provisioner "local-exec" {
    command = "echo ${self.output} ${self.id} > made.txt"
  }

  provisioner "local-exec" {
    when    = destroy
    command = "echo ${self.output} > gone.txt"
  }
}

resource "terraform_data" "fails" {
  input = terraform_data.a.output

  provisioner "local-exec" {
    command    = "exit 3"
    on_failure = continue
  }
}

resource "terraform_data" "tainted" {
  provisioner "local-exec" {
    command = "exit 4"
  }
}

resource "terraform_data" "skipped" {
  input = terraform_data.tainted.id
}
