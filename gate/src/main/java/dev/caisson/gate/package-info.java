@org.jspecify.annotations.NullMarked
package dev.caisson.gate;
