#include "shape.h"

namespace geo {

int Shape::made_ = 0;

Shape::Shape(std::string name) : name_(name)
{
    ++made_;
    log("made");
}

Shape::~Shape() { log("gone"); }

std::string Shape::label() const
{
    return name_ + std::to_string(area());
}

int Shape::count() { return made_; }

}  // namespace geo
