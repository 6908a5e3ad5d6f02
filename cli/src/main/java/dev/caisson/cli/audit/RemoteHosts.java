package dev.caisson.cli.audit;

import dev.caisson.audit.AuditException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.hostaudit.HostAudit.HostJson;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/// Gathers facts on other hosts: `caisson audit --save-facts -` there, by ssh(1) as its own configuration
/// has it, without a terminal and without asking for passwords. What a host sends is bounded.
final class RemoteHosts {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]*");
    static final int MOST_BYTES = 32 << 20;
    static final String TOO_MUCH = "it sent more than " + (MOST_BYTES >> 20) + " MiB";
    private static final int MOST_COMPLAINT = 2048;
    private static final int WAIT_SECONDS = 120;

    private final String program;

    /// @param program what stands for ssh
    RemoteHosts(String program) {
        this.program = program;
    }

    /// The facts of all, in the order of their names; a host that cannot be reached is told with the
    /// reason.
    List<HostJson> gather(List<String> addresses) {
        List<List<String>> commands = addresses.stream().map(this::command).toList();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<HostJson>> running = new ArrayList<>();
            for (int at = 0; at < commands.size(); at++) {
                String address = addresses.get(at);
                List<String> command = commands.get(at);
                running.add(threads.submit(() -> run(address, command)));
            }
            List<HostJson> all = new ArrayList<>();
            for (Future<HostJson> each : running) {
                all.add(each.get());
            }
            return all;
        } catch (ExecutionException e) {
            throw new IllegalStateException("asking a host failed", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AuditException(AuditException.Code.ENGINE_UNREACHABLE, "The audit was interrupted.", e);
        }
    }

    /// `ssh://USER@HOST:PORT`; names that ssh could take for options are refused.
    private List<String> command(String address) {
        try {
            URI uri = new URI(address);
            String user = uri.getUserInfo();
            if (!"ssh".equals(uri.getScheme())
                    || uri.getHost() == null
                    || !NAME.matcher(uri.getHost()).matches()
                    || (user != null && !NAME.matcher(user).matches())) {
                throw invalid(address, null);
            }
            List<String> command = new ArrayList<>(List.of(program, "-T", "-oBatchMode=yes", "-oConnectTimeout=10"));
            if (uri.getPort() > 0) {
                command.add("-p" + uri.getPort());
            }
            command.addAll(List.of(
                    "--", user == null ? uri.getHost() : user + "@" + uri.getHost(), "caisson audit --save-facts -"));
            return command;
        } catch (URISyntaxException e) {
            throw invalid(address, e);
        }
    }

    private static AuditException invalid(String address, @org.jspecify.annotations.Nullable Exception cause) {
        String sentence = "--host takes ssh://[USER@]HOST[:PORT], not " + address + ".";
        return cause == null
                ? new AuditException(AuditException.Code.OPTION_INVALID, sentence)
                : new AuditException(AuditException.Code.OPTION_INVALID, sentence, cause);
    }

    private static HostJson run(String address, List<String> command) throws InterruptedException {
        String host = address.substring("ssh://".length());
        try {
            Process process = new ProcessBuilder(command).start();
            process.getOutputStream().close();
            var complaint = new FutureTask<>(() -> complaint(process));
            Thread.ofVirtual().start(complaint);
            Thread.ofVirtual().start(() -> {
                try {
                    if (!process.waitFor(WAIT_SECONDS, TimeUnit.SECONDS)) {
                        process.destroyForcibly();
                    }
                } catch (InterruptedException e) {
                    process.destroyForcibly();
                }
            });
            try {
                byte[] json = process.getInputStream().readNBytes(MOST_BYTES + 1);
                if (json.length > MOST_BYTES) {
                    return new HostJson(host, "", TOO_MUCH);
                }
                int status = process.waitFor();
                return status == 0
                        ? new HostJson(host, new String(json, StandardCharsets.UTF_8), "")
                        : new HostJson(
                                host, "", "caisson audit there ended with status " + status + ": " + said(complaint));
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            return new HostJson(host, "", "it could not be asked: " + e.getMessage());
        }
    }

    /// A connection that ssh shares keeps standard error open after its end.
    private static String said(FutureTask<String> complaint) throws InterruptedException {
        try {
            return complaint.get(1, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException e) {
            return OneLine.of("");
        }
    }

    /// The end of what a host says beside the facts, in one line. All is read, so that it never waits for
    /// us.
    private static String complaint(Process process) throws IOException {
        byte[] kept = new byte[0];
        byte[] piece = new byte[MOST_COMPLAINT];
        for (int count = process.getErrorStream().read(piece);
                count >= 0;
                count = process.getErrorStream().read(piece)) {
            byte[] all = Arrays.copyOf(kept, kept.length + count);
            System.arraycopy(piece, 0, all, kept.length, count);
            kept = Arrays.copyOfRange(all, Math.max(0, all.length - MOST_COMPLAINT), all.length);
        }
        return OneLine.of(new String(kept, StandardCharsets.UTF_8));
    }
}
