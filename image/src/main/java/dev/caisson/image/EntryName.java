package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.text.Quoted;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// The name of an archive member as the components it leads through, all of them ordinary names. An absolute name
/// starts at the root of the image, as for tar(1); `..` is refused, wherever it would lead.
///
/// @param parents the directories above, outermost first
/// @param last empty for the root itself
record EntryName(List<String> parents, String last) {
    private static final int LONGEST_COMPONENT = 255;

    EntryName {
        parents = List.copyOf(parents);
    }

    static EntryName parse(String name, UnpackLimits limits) {
        if (name.isEmpty()) {
            throw TarFields.bad("a member without a name");
        }
        if (name.getBytes(StandardCharsets.UTF_8).length > limits.pathBytes()) {
            throw new ImageException(
                    Code.TOO_LARGE,
                    "the archive has a name longer than " + limits.pathBytes() + " bytes: " + Quoted.of(name));
        }
        var components = new ArrayList<String>();
        for (String component : name.split("/", -1)) {
            if (component.equals("..")) {
                throw new ImageException(
                        Code.UNSAFE_ENTRY,
                        "the archive has " + Quoted.of(name) + ", which leads upwards; it is not unpacked");
            }
            if (component.getBytes(StandardCharsets.UTF_8).length > LONGEST_COMPONENT) {
                throw new ImageException(
                        Code.TOO_LARGE,
                        "the archive has a name that no file system holds, of more than " + LONGEST_COMPONENT
                                + " bytes: " + Quoted.of(component));
            }
            if (!component.isEmpty() && !component.equals(".")) {
                components.add(component);
            }
        }
        return components.isEmpty()
                ? new EntryName(List.of(), "")
                : new EntryName(components.subList(0, components.size() - 1), components.getLast());
    }

    boolean isRoot() {
        return last.isEmpty();
    }

    @Override
    public String toString() {
        return Quoted.of(parents.isEmpty() ? last : String.join("/", parents) + "/" + last);
    }
}
