package org.svc;

public class ServiceTest {
    private Service service;
    private Store.Memory<String, Query> memory;

    void before() {
        memory = new Store.Memory<>();
        service = new Service(memory);
    }

    void asks() {
        before();
        assert service.ask("a").limit() == 10;
        assert memory.keys().get(0).equals("a");
        check(memory.load("a"));
    }

    private static void check(Query query) {
        assert query.limit() > 0;
    }
}
