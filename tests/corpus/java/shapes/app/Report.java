package app;

import geo.Base;
import geo.Circle;
import geo.Shape;
import geo.Square;

public class Report {
    private final Shape first = Shape.unit();

    double total(Shape[] shapes) {
        double sum = first.area();
        for (Shape shape : shapes) {
            sum += shape.area();
        }
        return sum;
    }

    String line(Base base) {
        return base.describe() + base.twice();
    }

    public static void main(String[] args) {
        Report report = new Report();
        Circle circle = new Circle(2);
        Shape[] shapes = {circle, new Square(3)};
        System.out.println(report.total(shapes));
        System.out.println(report.line(circle));
        System.out.println(circle.twice() + shapes[1].describe());
    }
}
