package dev.caisson.watch;

import dev.caisson.launch.FilterProgram;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Filter;
import java.util.Arrays;

/// The filter of one more program of a container. It gives the answers of the container's, and asks about what it
/// denies
/// if that does and the program can hand over its listener.
public final class ExecFilter {
    private static final String SUMMARY = "the container's own";

    private final byte[] container;
    private final Filter answering;
    private final boolean asks;

    private ExecFilter(byte[] container, Filter answering, boolean asks) {
        this.container = container;
        this.answering = answering;
        this.asks = asks;
    }

    /// One that records or learns asks about more, and is not asked for here.
    public static ExecFilter of(FilterProgram container) {
        byte[] bytes = container.bytes();
        Filter answering = Filter.of(Architecture.host(), bytes).unasking();
        boolean asks = !Arrays.equals(bytes, answering.bytes())
                && answering.canAsk()
                && answering.letsSendMessages()
                && Arrays.equals(bytes, answering.asking().bytes());
        return new ExecFilter(bytes, answering, asks);
    }

    /// Returns whether it was made of this filter of a container.
    public boolean isOf(FilterProgram filter) {
        return Arrays.equals(container, filter.bytes());
    }

    /// Returns whether somebody has to answer it.
    public boolean asks() {
        return asks;
    }

    public FilterProgram program() {
        return asks ? new FilterProgram(container, SUMMARY) : unasking();
    }

    /// Returns the one that asks nobody, for a program that nobody would answer.
    public FilterProgram unasking() {
        return new FilterProgram(answering.bytes(), SUMMARY);
    }

    /// Returns the filter with the answers.
    Filter answering() {
        return answering;
    }
}
