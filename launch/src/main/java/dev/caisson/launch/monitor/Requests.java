package dev.caisson.launch.monitor;

/// Numbers of a monitor's requests, as monitor.h has them.
final class Requests {
    static final int SETUP = 1;
    static final int STATE = 3;
    static final int START = 4;
    static final int GO = 5;
    static final int STOP = 6;
    static final int SIGNAL = 7;
    static final int PAUSE = 8;
    static final int UNPAUSE = 9;
    static final int STDIN = 10;
    static final int RESIZE = 11;
    static final int WATCH = 12;
    static final int SET = 13;
    static final int RENEW = 14;
    static final int REMOVE = 15;
    static final int ADOPT = 16;
    static final int READ = 17;
    static final int ANSWER = 18;
    static final int OWNER = 19;
    static final int OUTPUT = 20;
    static final int REDACT = 23;
    static final int MOUNT = 24;
    static final int LAYER = 25;
    static final int LEND = 26;
    static final int PLAN = 27;
    static final int RELINK = 28;
    static final int NETWORK = 29;
    static final int PROGRAM = 32;
    static final int PREPARE = 33;

    private Requests() {}

    /// True if the answer comes when the work is done, however long that takes.
    static boolean takesTime(int request) {
        return request == SETUP || request == START || request == STOP || request == REMOVE;
    }

    /// True if the answer has a descriptor for the caller.
    static boolean isForDescriptor(int request) {
        return request == PROGRAM
                || request == MOUNT
                || request == LAYER
                || request == LEND
                || request == PLAN
                || request == OUTPUT;
    }
}
