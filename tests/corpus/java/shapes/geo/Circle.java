package geo;

public class Circle extends Base {
    private static final double HALF_TURN = Math.PI;

    public Circle(double radius) {
        super(radius);
    }

    @Override
    public double area() {
        return HALF_TURN * size * size;
    }

    @Override
    public String describe() {
        return "round " + super.describe() + unitName();
    }
}
