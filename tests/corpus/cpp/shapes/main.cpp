#include "shape.h"

static double total(const geo::Shape &a, const geo::Shape *b)
{
    return a.area() + b->area();
}

int main()
{
    geo::Square square(2);
    auto circle = geo::Circle(1);
    geo::Shape *kept = new geo::Square{3};

    square.grow(1);
    double sum = total(square, &circle) + circle.area();
    kept->label();
    delete kept;
    return sum > 0 ? geo::Shape::count() : 1;
}
