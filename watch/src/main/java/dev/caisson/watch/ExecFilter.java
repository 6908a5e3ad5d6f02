package dev.caisson.watch;

import dev.caisson.launch.FilterProgram;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Filter;
import java.util.Arrays;

/// The filter of one more program of a container. It gives the answers of the container's filter. It asks
/// about what it denies if that one does and the program can hand over its listener.
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

    /// Makes one that asks nobody if the container records or learns: such a filter asks about more.
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
