package dev.caisson.cli.caller;

import java.io.IOException;
import java.io.PrintWriter;

/// The question before something is removed for good.
public final class Confirmation {
    private Confirmation() {}

    /// Asks the caller on `out` and reads the answer from standard input.
    ///
    /// @param removed what will be removed, as in "all stopped containers"
    /// @return true for an answer that begins with y; false for any other, and for none
    public static boolean isGiven(PrintWriter out, String removed) {
        out.println("WARNING! This will remove " + removed + ".");
        out.print("Are you sure you want to continue? [y/N] ");
        out.flush();
        try {
            int answer = Caller.current().input().read();
            return answer == 'y' || answer == 'Y';
        } catch (IOException e) {
            return false;
        }
    }
}
