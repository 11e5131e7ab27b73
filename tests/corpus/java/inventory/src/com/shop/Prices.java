package com.shop;

final class Prices {
    static final int LEAST = least();

    private Prices() {
    }

    private static int least() {
        return 1;
    }

    static int usual(String name) {
        return checked(name.length() * 10);
    }

    static int checked(int cents) {
        if (cents < LEAST) {
            throw new IllegalArgumentException("too little");
        }
        return cents;
    }
}
