package dev.caisson.cli.option;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.OneLine;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import java.util.List;

/// `--volumes-from`: mounts of other containers, but memory. A mount of one's own goes before one with the same target.
final class VolumesFrom {
    private VolumesFrom() {}

    static ContainerSpec apply(ContainerSpec start, List<String> containers) {
        ContainerSpec spec = start;
        for (String text : containers) {
            int colon = text.indexOf(':');
            String flag = colon < 0 ? "rw" : text.substring(colon + 1);
            if (!flag.matches("r[ow]|z|Z")) {
                throw bad(text, "after the colon stands ro or rw, not '" + OneLine.of(flag) + "'");
            }
            String name = colon < 0 ? text : text.substring(0, colon);
            DetachedContainer container = DetachedContainer.find(
                            name, Caller.current().directories())
                    .orElseThrow(() -> bad(
                            text,
                            "no container '" + OneLine.of(name)
                                    + "' is kept: create it, or run it with -d, and see 'caisson ps -a'"));
            for (Mount mount : container.mounts()) {
                if (isFree(spec, mount)) {
                    spec = with(spec, mount, flag.equals("ro"));
                }
            }
        }
        return spec;
    }

    private static boolean isFree(ContainerSpec spec, Mount mount) {
        return spec.mounts().stream().noneMatch(own -> own.target().equals(mount.target()));
    }

    private static ContainerSpec with(ContainerSpec spec, Mount mount, boolean readOnly) {
        return switch (mount) {
            case Mount.Tmpfs _, Mount.Secrets _ -> spec;
            case Mount.Bind it ->
                spec.mount(new Mount.Bind(it.source(), it.target(), readOnly || it.readOnly(), it.file()));
            case Mount.Workspace it ->
                spec.mount(new Mount.Workspace(it.name(), it.target(), readOnly || it.readOnly()));
            case Mount.Volume it ->
                spec.mount(it.readOnly(readOnly || it.readOnly()).copy(false));
            case Mount.ImageFiles it -> spec.mount(it);
        };
    }

    private static CommandException bad(String text, String advice) {
        return new CommandException(
                "MOUNT_INVALID", CommandException.ENGINE_FAILED, "--volumes-from " + text + ": " + advice);
    }
}
