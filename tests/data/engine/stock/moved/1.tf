resource "terraform_data" "old" {
  input = 1
}

resource "terraform_data" "forgotten" {
  input = 2
}

resource "terraform_data" "destroyed" {
  input = 3
}

resource "terraform_data" "counted" {
  input = 4
}

resource "terraform_data" "keyed" {
  count = 2
  input = count.index
}
