/// Code that a language model wrote runs in a container.
@NullMarked
package dev.caisson.integration.langchain4j;

import org.jspecify.annotations.NullMarked;
