package dev.caisson.cli.volume;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.cli.text.OptionText;
import dev.caisson.engine.Volume;
import dev.caisson.engine.Volumes;
import dev.caisson.error.CaissonException;
import dev.caisson.spec.VolumeSpec;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `caisson volume create`: makes an empty volume.
@Command(
        name = "create",
        sortOptions = false,
        description = "Make a volume: a bounded directory that is there until it is removed. One of that name that is"
                + " there already is left as it is.",
        footer = {
            "%nIt takes disk only for what is written into it. 'caisson run -v NAME:/path' makes it too, of the default size.",
            "%n  caisson volume create --opt size=2g --label team=core data"
        })
final class VolumeCreateCommand implements Callable<Integer> {
    private static final String LOCAL = "local";

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Option(
            names = {"-d", "--driver"},
            paramLabel = "DRIVER",
            defaultValue = LOCAL,
            description = "local, the only one (default: ${DEFAULT-VALUE}).")
    private String driver = LOCAL;

    @Option(
            names = {"-o", "--opt"},
            paramLabel = "KEY=VALUE",
            description =
                    "size=SIZE: most bytes, from 16m on (default: a quarter of the disk's free space, at most 8g);"
                            + " inodes=NUMBER: most files, directories and links (default: one for each 16 KiB).")
    private List<String> options = List.of();

    @Option(
            names = "--label",
            paramLabel = "KEY=VALUE",
            description = "A label, shown by inspect and found by ls --filter.")
    private List<String> labels = List.of();

    @Parameters(
            arity = "0..1",
            paramLabel = "NAME",
            description = "2 to 128 letters, digits, '_', '.' and '-' (default: one that is made up).")
    private @Nullable String name;

    @Override
    public Integer call() {
        if (!driver.equals(LOCAL)) {
            throw CommandException.usage("--driver takes local, not '" + OneLine.of(driver)
                    + "': volumes of other drivers are not part of Caisson");
        }
        VolumeSpec wanted = name == null ? VolumeSpec.unnamed() : VolumeSpec.named(name);
        for (String option : options) {
            wanted = option(wanted, OptionText.pair("--opt", option));
        }
        for (String label : labels) {
            int equals = label.indexOf('=');
            wanted = equals < 0
                    ? wanted.label(label, "")
                    : wanted.label(label.substring(0, equals), label.substring(equals + 1));
        }
        spec.commandLine().getOut().println(make(wanted).name());
        return 0;
    }

    private static VolumeSpec option(VolumeSpec before, String[] pair) {
        return switch (pair[0]) {
            case "size" -> before.size(pair[1]);
            case "inodes" -> before.inodes(inodes(pair[1]));
            case "type", "o", "device" ->
                throw CommandException.usage("--opt " + pair[0]
                        + " mounts a file system of the host: mount it there, and give its path with -v and"
                        + " --allow host-paths");
            default ->
                throw CommandException.usage(
                        "--opt takes size=SIZE or inodes=NUMBER, not '" + OneLine.of(pair[0]) + "'");
        };
    }

    private static long inodes(String text) {
        if (!text.matches("[0-9]{1,9}")) {
            throw CommandException.usage("--opt inodes takes a number, not '" + OneLine.of(text) + "'");
        }
        return Long.parseLong(text);
    }

    /// Makes the volume, or returns the one of this name if its options are those that are asked for, as Docker does.
    private static Volume make(VolumeSpec wanted) {
        Volumes all = Volumes.of(Caller.current().directories());
        try {
            return all.create(wanted);
        } catch (CaissonException e) {
            if (!e.code().equals("VOLUME_EXISTS")) {
                throw e;
            }
            Volume found = all.get(String.valueOf(wanted.name().orElseThrow()));
            boolean isSame =
                    wanted.size().filter(size -> !size.equals(found.size())).isEmpty()
                            && (wanted.inodes().isEmpty() || wanted.inodes().getAsLong() == found.inodes());
            if (isSame) {
                return found;
            }
            throw new CommandException(
                    "VOLUME_EXISTS",
                    CommandException.ENGINE_FAILED,
                    "a volume has the name " + found.name() + " already, and holds " + found.size() + " in "
                            + found.inodes() + " inodes: give another name, or remove it");
        }
    }
}
