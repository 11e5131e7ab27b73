#ifndef SHAPE_H
#define SHAPE_H

#include <string>

namespace geo {

class Shape {
public:
    explicit Shape(std::string name);
    virtual ~Shape();

    virtual double area() const = 0;
    std::string label() const;
    static int count();

protected:
    void log(const char *what) const { ++logged_; (void)what; }

private:
    std::string name_;
    mutable int logged_ = 0;
    static int made_;
};

class Square : public Shape {
public:
    explicit Square(double side);
    double area() const override;
    void grow(double by);

private:
    double checked(double side) const;
    double side_;
};

class Circle final : public Shape {
public:
    explicit Circle(double radius) : Shape("circle"), radius_(radius) {}
    double area() const override { return 3.14 * square(radius_); }

private:
    static double square(double x) { return x * x; }
    double radius_;
};

}  // namespace geo

#endif
