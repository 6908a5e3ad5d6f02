package dev.caisson.network;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// A network namespace of the test's own: one thread lives in it, and so does every process that this starts.
/// It goes with its thread, and all that was made in it.
@SuppressWarnings("restricted") // a test may call native code
public final class Namespace implements AutoCloseable {
    private static final int CLONE_NEWNET = 0x40000000;

    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("network namespace").daemon().factory());

    /// Makes it, with loopback up. It forwards nothing, whatever the machine does, of which a new one has that setting.
    public Namespace() {
        call(() -> {
            MethodHandle unshare = function("unshare", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
            try {
                if ((int) unshare.invokeExact(CLONE_NEWNET) != 0) {
                    throw new IllegalStateException("unshare of a network namespace failed: run as root");
                }
            } catch (Throwable t) {
                throw new IllegalStateException(t);
            }
            run("ip link set lo up; echo 0 >/proc/sys/net/ipv4/ip_forward");
            return null;
        });
    }

    /// Enters that of a process.
    Namespace(long pid) {
        call(() -> {
            MethodHandle setns = function("setns", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
            try (Fd namespace = FileSystem.open("/proc/" + pid + "/ns/net", FileSystem.O_RDONLY)) {
                if ((int) setns.invokeExact(namespace.number(), CLONE_NEWNET) != 0) {
                    throw new IllegalStateException("the network namespace of " + pid + " cannot be entered");
                }
            } catch (Throwable t) {
                throw new IllegalStateException(t);
            }
            return null;
        });
    }

    private static MethodHandle function(String name, FunctionDescriptor form) {
        return Linker.nativeLinker()
                .downcallHandle(Linker.nativeLinker().defaultLookup().findOrThrow(name), form);
    }

    /// Calls it in the namespace.
    public <T> T call(Callable<T> task) {
        Future<T> result = thread.submit(task);
        try {
            return result.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            if (e.getCause() instanceof Error failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Runs a command of bash in the namespace.
    /// @return what it printed
    /// @throws IllegalStateException with what it printed if it fails
    public String sh(String command) {
        return call(() -> run(command));
    }

    /// The same, whether it fails or not.
    /// @return its exit status
    public int status(String command) {
        return call(() -> {
            Process process = start(command);
            process.getInputStream().readAllBytes();
            return process.waitFor();
        });
    }

    private static String run(String command) throws IOException, InterruptedException {
        Process process = start(command);
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(command + ": " + output);
        }
        return output;
    }

    private static Process start(String command) throws IOException {
        Process process = new ProcessBuilder("bash", "-c", "PATH=$PATH:/usr/sbin:/sbin; " + command)
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        return process;
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
