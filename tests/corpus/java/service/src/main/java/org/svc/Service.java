package org.svc;

public class Service {
    private final Store<String, Query> store;
    private Query last;

    public Service(Store<String, Query> store) {
        this.store = store;
    }

    @Traced
    public Query ask(String name) {
        Query found = store.load(name);
        last = found != null ? found : Query.named(name).limit(10).build();
        store.save(name, last);
        return last;
    }

    int most() {
        return last.limit() + (last == null ? Query.named("") : Query.named("x")).build().limit();
    }

    public static void main(String[] args) {
        try (Store<String, Query> store = Store.inMemory()) {
            Service service = new Service(store);
            service.ask("a").limit();
            System.out.println(service.most() + service.ask("b").toString());
        }
    }
}
