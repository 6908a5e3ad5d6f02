package dev.caisson.cli.view;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.linux.ByteText;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// The host's ps(1), asked with a caller's options about some processes alone.
final class HostPs {
    private static final int FAILED = 1;
    private static final int MOST_BYTES = 4 << 20;
    private static final long PATIENCE_SECONDS = 10;
    private static final int KILLED = 128 + 9;
    private static final List<Path> PLACES = List.of(Path.of("/usr/bin/ps"), Path.of("/bin/ps"));
    private static final String PID = "PID";
    /// Columns whose text is one word that no container chooses.
    private static final Set<String> ONE_WORD = Set.of(
            "F", "S", "STAT", "UID", "USER", "EUID", "EUSER", "RUID", "RUSER", "GID", "GROUP", "PPID", "PGID", "SID",
            "SESS", "TTY", "TT", "PRI", "NI", "C", "%CPU", "%MEM", "RSS", "VSZ", "SZ", "NLWP", "TIME", "ELAPSED");
    private static final Pattern LONG_OPTION = Pattern.compile("--[a-z-]+=");

    private record Answer(int status, List<String> lines) {
        /// True if there is no table: ps ends with 1 also where it finds no process.
        boolean isRefusal() {
            return status > 1 || lines.isEmpty();
        }
    }

    private HostPs() {}

    /// Returns the table, its header first, fit for a terminal.
    /// @throws CommandException OPTION_REFUSED, PS_MISSING, PS_FAILED
    static List<String> table(List<String> options, Set<Integer> processes) {
        options.stream().filter(HostPs::renames).findFirst().ifPresent(option -> {
            throw new CommandException(
                    "OPTION_REFUSED",
                    FAILED,
                    "ps option " + OneLine.of(option)
                            + ": a column has the name that ps gives it; leave out the = part");
        });
        if (processes.isEmpty()) {
            return List.of();
        }
        String list = processes.stream().sorted().map(String::valueOf).collect(Collectors.joining(","));
        // -q goes with no sorting and no tree, and an older one with no selection; a ps without lists shows all.
        Answer answer = ask(options, Optional.of("-q" + list));
        if (answer.isRefusal()) {
            answer = ask(options, Optional.of("-p" + list));
        }
        if (answer.isRefusal()) {
            answer = ask(options, Optional.empty());
        }
        if (answer.isRefusal()) {
            throw failed("ps refused the options (" + OneLine.of(complaint(options)) + "): see 'man ps'");
        }
        return ofThese(answer.lines(), processes);
    }

    /// True if an option gives a column another name, which could be that of the PID.
    private static boolean renames(String option) {
        return LONG_OPTION.matcher(option).replaceFirst("").contains("=");
    }

    private static CommandException failed(String sentence) {
        return new CommandException("PS_FAILED", FAILED, sentence);
    }

    private static int pidColumn(String header) {
        List<String> names = fields(header);
        int column = names.indexOf(PID);
        if (column < 0) {
            throw failed("the options of ps show no PID column with its header, by which processes are found: add pid");
        }
        names.subList(0, column).stream()
                .filter(name -> !ONE_WORD.contains(name))
                .findFirst()
                .ifPresent(name -> {
                    throw failed("the options of ps show " + OneLine.of(name)
                            + " before PID, whose words could pass for it: put pid first");
                });
        return column;
    }

    private static List<String> ofThese(List<String> lines, Set<Integer> processes) {
        int column = pidColumn(lines.getFirst());
        var chosen = new ArrayList<String>(List.of(OneLine.row(lines.getFirst())));
        boolean ofOne = false;
        for (String line : lines.subList(1, lines.size())) {
            List<String> fields = fields(line);
            String pid = column < fields.size() ? fields.get(column) : "";
            // a line without a number is of a thread of the process above
            ofOne = pid.equals("-") ? ofOne : isOneOf(pid, processes);
            if (ofOne) {
                chosen.add(OneLine.row(line));
            }
        }
        return chosen;
    }

    private static List<String> fields(String line) {
        return Arrays.asList(line.strip().split("\\s+", -1));
    }

    private static boolean isOneOf(String pid, Set<Integer> processes) {
        return pid.matches("[0-9]{1,9}") && processes.contains(Integer.parseInt(pid));
    }

    private static Answer ask(List<String> options, Optional<String> list) {
        return ask(options, list, ProcessBuilder.Redirect.DISCARD);
    }

    /// Returns the first line of what it says about options that it refuses.
    private static String complaint(List<String> options) {
        return ask(options, Optional.empty(), ProcessBuilder.Redirect.PIPE).lines().stream()
                .filter(line -> !line.isBlank())
                .findFirst()
                .orElse("");
    }

    /// @param errors where its messages go: with PIPE, among the lines
    private static Answer ask(List<String> options, Optional<String> list, ProcessBuilder.Redirect errors) {
        var command = new ArrayList<String>(List.of(program().toString()));
        list.ifPresent(command::add);
        command.addAll(options);
        var asked = new ProcessBuilder(command)
                .directory(new File("/"))
                .redirectInput(new File("/dev/null"))
                .redirectError(errors)
                .redirectErrorStream(errors.equals(ProcessBuilder.Redirect.PIPE));
        asked.environment().clear();
        asked.environment().putAll(Map.of("PATH", "/usr/bin:/bin", "LC_ALL", "C.UTF-8"));
        try {
            Process process = asked.start();
            // A process can make whoever reads its arguments wait.
            CompletableFuture.delayedExecutor(PATIENCE_SECONDS, TimeUnit.SECONDS)
                    .execute(process::destroyForcibly);
            byte[] out = process.getInputStream().readNBytes(MOST_BYTES + 1);
            boolean tooLong = out.length > MOST_BYTES;
            if (tooLong) {
                process.destroyForcibly();
            }
            int status = process.waitFor();
            if (tooLong || status == KILLED) {
                throw failed("ps did not end within " + PATIENCE_SECONDS
                        + " seconds, or printed more than 4 MiB: ask for fewer columns");
            }
            return new Answer(status, ByteText.of(out).lines().toList());
        } catch (IOException e) { // as for a list of processes that is too long for an argument
            throw new CommandException(
                    "PS_FAILED",
                    FAILED,
                    "ps could not be run (" + OneLine.of(e.getMessage()) + "): give no options",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandException("INTERRUPTED", FAILED, "the command was interrupted: give it again", e);
        }
    }

    private static Path program() {
        return PLACES.stream()
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new CommandException(
                        "PS_MISSING",
                        FAILED,
                        "this host has no ps, which reads these options: install procps, or give no options"));
    }
}
