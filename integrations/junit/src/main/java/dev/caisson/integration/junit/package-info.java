/// A JUnit extension that gives tests an engine.
@NullMarked
package dev.caisson.integration.junit;

import org.jspecify.annotations.NullMarked;
