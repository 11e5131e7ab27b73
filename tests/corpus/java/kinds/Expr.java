public sealed interface Expr {
    record Num(int value) implements Expr {
        public Num {
            Op.checked(value);
        }

        static Num zero() {
            return new Num(0);
        }

        Num next() {
            return new Num(value() + 1);
        }
    }

    record Call(Op op, Expr left, Expr right) implements Expr {
        Call(Op op, Expr only) {
            this(op, only, Num.zero());
        }
    }

    static int eval(Expr expr) {
        if (expr instanceof Num num) {
            return num.value();
        }
        if (expr instanceof Call call) {
            return call.op().apply(eval(call.left()), eval(call.right));
        }
        return 0;
    }

    static String text(Expr expr) {
        if (expr instanceof Call call && call.op() == Op.ADD) {
            return text(call.left()) + call.op().sign() + text(call.right());
        }
        return "" + eval(expr);
    }
}
