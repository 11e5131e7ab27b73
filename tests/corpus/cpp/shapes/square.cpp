#include "shape.h"

using namespace geo;

Square::Square(double side) : Shape("square"), side_(checked(side)) {}

double Square::area() const { return side_ * side_; }

void Square::grow(double by)
{
    this->side_ = checked(side_ + by);
    log("grown");
}

double Square::checked(double side) const { return side < 0 ? 0 : side; }
