package dev.caisson.cli.caller;

/// The signals that commands know by name, signal(7).
public final class ProcessSignals {
    public static final int HUP = 1;
    static final int INT = 2;
    static final int QUIT = 3;
    static final int TERM = 15;
    public static final int WINCH = 28;

    private ProcessSignals() {}

    /// True if a process ends by this signal unless it handles it, and people send it for that.
    public static boolean asksToEnd(int number) {
        return number == HUP || number == INT || number == QUIT || number == TERM;
    }
}
