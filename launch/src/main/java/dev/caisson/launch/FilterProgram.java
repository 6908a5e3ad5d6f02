package dev.caisson.launch;

import java.util.Arrays;

/// A compiled system call filter: the bytes of an array of struct sock_filter, and a line that says what it does.
public final class FilterProgram {
    private static final int INSTRUCTION = 8;
    private static final int MAX_INSTRUCTIONS = 4096;

    private final byte[] bytes;
    private final String summary;

    public FilterProgram(byte[] bytes, String summary) {
        if (bytes.length == 0 || bytes.length % INSTRUCTION != 0 || bytes.length > INSTRUCTION * MAX_INSTRUCTIONS) {
            throw new IllegalArgumentException("not a filter program: " + bytes.length + " bytes");
        }
        this.bytes = bytes.clone();
        this.summary = summary;
    }

    public byte[] bytes() {
        return bytes.clone();
    }

    public int instructions() {
        return bytes.length / INSTRUCTION;
    }

    public String summary() {
        return summary;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FilterProgram program && Arrays.equals(bytes, program.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return instructions() + " instructions";
    }
}
