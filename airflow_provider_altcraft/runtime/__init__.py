"""What operators, sensors and transfers share: they are argument lists, and this is what runs them."""
