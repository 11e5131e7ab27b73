package geo;

public abstract class Base implements Shape {
    protected final double size;

    protected Base(double size) {
        this.size = checked(size);
    }

    private static double checked(double size) {
        return Math.max(size, 0);
    }

    public double twice() {
        return 2 * area();
    }

    protected String unitName() {
        return "m2";
    }
}
