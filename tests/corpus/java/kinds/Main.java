public class Main {
    public static void main(String[] args) {
        Expr sum = new Expr.Call(Op.of("+"), Expr.Num.zero().next(), new Expr.Num(3));
        System.out.println(Expr.text(sum) + "=" + Expr.eval(sum));
        System.out.println(Op.NEGATE.apply(1, 0) + Op.valueOf("ADD").sign());
        switch (Op.of("-")) {
            case ADD -> System.out.println("added");
            case NEGATE -> System.out.println(new Expr.Call(Op.NEGATE, sum).left());
        }
    }
}
