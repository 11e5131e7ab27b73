public enum Op {
    ADD("+") {
        @Override
        int apply(int left, int right) {
            return checked(left + right);
        }
    },
    NEGATE("-") {
        @Override
        int apply(int left, int right) {
            return -left;
        }
    };

    private final String sign;

    Op(String sign) {
        this.sign = clean(sign);
    }

    private static String clean(String text) {
        return text.trim();
    }

    static int checked(int number) {
        return number;
    }

    abstract int apply(int left, int right);

    String sign() {
        return sign;
    }

    static Op of(String sign) {
        for (Op op : values()) {
            if (op.sign().equals(sign)) {
                return op;
            }
        }
        return ADD;
    }
}
