package org.svc;

@Traced("query")
public final class Query {
    private final String text;
    private final int limit;

    private Query(Builder builder) {
        text = builder.text;
        limit = builder.limit();
    }

    static Builder named(String text) {
        return new Builder(text);
    }

    int limit() {
        return limit;
    }

    @Override
    public String toString() {
        return text + limit();
    }

    static final class Builder {
        private final String text;
        private int limit;

        private Builder(String text) {
            this.text = text;
        }

        Builder limit(int limit) {
            this.limit = limit;
            return this;
        }

        int limit() {
            return limit;
        }

        Query build() {
            return new Query(this);
        }
    }
}
