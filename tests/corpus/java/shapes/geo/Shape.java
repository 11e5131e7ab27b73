package geo;

public interface Shape {
    double area();

    default String describe() {
        return label() + " of " + area();
    }

    default String label() {
        return "shape";
    }

    static Shape unit() {
        return new Square(1);
    }
}
