/// An engine as a bean of Spring Boot.
@NullMarked
package dev.caisson.integration.spring;

import org.jspecify.annotations.NullMarked;
