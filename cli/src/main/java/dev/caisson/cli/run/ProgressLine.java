package dev.caisson.cli.run;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.image.ProgressListener;
import java.io.PrintWriter;

/// One line on standard error that tells how an image is being made ready, where that is a terminal.
public final class ProgressLine implements ProgressListener {
    private static final String CLEAR = "\r\u001b[K";

    private final PrintWriter err;
    private final boolean shown = Caller.current().colours().error();

    public ProgressLine(PrintWriter err) {
        this.err = err;
    }

    @Override
    public void progress(String activity, long done, long total) {
        if (!shown) {
            return;
        }
        if (total > 0 && done >= total) {
            err.print(CLEAR);
        } else {
            err.print(CLEAR + OneLine.of(activity) + (total > 0 ? " " + 100 * done / total + " %" : ""));
        }
        err.flush();
    }
}
