package org.svc;

@interface Traced {
    String value() default "";
}
