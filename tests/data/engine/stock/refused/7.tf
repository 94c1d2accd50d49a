resource "terraform_data" "a" {
  input = self.id
}
resource "terraform_data" "c" {
  input = each.key
}
resource "terraform_data" "d" {
  input = count.index
  count = terraform_data.nowhere.id
}
