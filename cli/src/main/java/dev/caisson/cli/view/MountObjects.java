package dev.caisson.cli.view;

import dev.caisson.spec.Mount;
import dev.caisson.spec.VolumeName;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Mounts in the form of Docker's `inspect`. A workspace is one of a type of its own; what the engine keeps has no path
/// of the host.
final class MountObjects {
    private MountObjects() {}

    static List<Map<String, Object>> of(List<Mount> mounts) {
        return mounts.stream().map(MountObjects::of).toList();
    }

    private static Map<String, Object> of(Mount mount) {
        return switch (mount) {
            case Mount.Bind it -> object("bind", "", it.source().toString(), it, it.readOnly());
            case Mount.Tmpfs it -> object("tmpfs", "", "", it, it.readOnly());
            case Mount.Workspace it -> object("workspace", it.name().value(), "", it, it.readOnly());
            case Mount.Volume it ->
                object("volume", it.name().map(VolumeName::value).orElse(""), "", it, it.readOnly());
            case Mount.ImageFiles it -> object("image", it.image().toString(), "", it, true);
            case Mount.Secrets it -> object("secrets", names(it), "", it, true);
        };
    }

    private static String names(Mount.Secrets secrets) {
        return secrets.files().stream().map(file -> file.secret().text()).collect(Collectors.joining(","));
    }

    private static Map<String, Object> object(String type, String name, String source, Mount mount, boolean readOnly) {
        var object = new LinkedHashMap<String, Object>();
        object.put("Type", type);
        if (!name.isEmpty()) {
            object.put("Name", name);
        }
        object.put("Source", source);
        object.put("Destination", "/" + mount.target().relative());
        if (type.equals("volume")) {
            object.put("Driver", "local");
        }
        object.put("Mode", readOnly ? "ro" : "");
        object.put("RW", !readOnly);
        object.put("Propagation", type.equals("bind") ? "rprivate" : "");
        return object;
    }
}
