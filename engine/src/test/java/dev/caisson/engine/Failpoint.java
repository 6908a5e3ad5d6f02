package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Stops a process that [LineLoader] started at a line of code that a test names, until it reads one more line of its
/// input. Public, because code of other rooms calls it.
public final class Failpoint {
    static final String OK = "ok";
    static final String NOWHERE = "-";
    static final String AT = "at ";

    private static final BufferedReader INPUT =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private static final Thread ACTING = Thread.currentThread();
    private static final Set<String> PASSED = new LinkedHashSet<>();
    private static volatile @Nullable String awaited;
    private static volatile boolean everyThread;

    private Failpoint() {}

    /// An act on a thing with a name.
    interface Acting {
        void act(String act, String name) throws Exception;
    }

    /// Does what each line of the input names: an act, the name of a thing, and where to stand still. Answers with the
    /// lines of code that it came by, and "ok", the code of the error, or an error that has none.
    static void serve(Acting acting) throws IOException {
        System.out.println(EngineProcess.OPENED);
        for (String line = INPUT.readLine(); line != null; line = INPUT.readLine()) {
            String[] words = line.split(" ", 3);
            PASSED.clear();
            awaited = words[2];
            String outcome = outcome(acting, words[0], words[1]);
            awaited = null;
            System.out.println(String.join(" ", PASSED) + "\t" + outcome);
        }
    }

    private static String outcome(Acting acting, String act, String name) {
        try {
            acting.act(act, name);
            return OK;
        } catch (CaissonException e) {
            return e.code();
        } catch (Exception | Error e) {
            e.printStackTrace();
            return e.toString();
        }
    }

    /// Says whether the lines of all threads count, and not only those of the one that acts.
    static void ofEveryThread(boolean value) {
        everyThread = value;
    }

    /// Called by the code itself, at each line.
    public static void reached(String place) {
        if (awaited == null || !(everyThread || Thread.currentThread() == ACTING)) {
            return;
        }
        synchronized (PASSED) {
            if (PASSED.add(place) && place.equals(awaited)) {
                stand(place);
            }
        }
    }

    private static void stand(String place) {
        System.out.println(AT + place);
        try {
            boolean _ = INPUT.readLine() != null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
