package geo;

public class Square extends Base {
    public Square(double side) {
        super(side);
    }

    @Override
    public double area() {
        return size * size;
    }

    @Override
    public String label() {
        return "square " + super.unitName();
    }
}
