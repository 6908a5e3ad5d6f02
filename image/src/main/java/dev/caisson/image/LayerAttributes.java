package dev.caisson.image;

import dev.caisson.image.ImageException.Code;
import dev.caisson.image.LayerUnpacker.Ownership;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.text.Quoted;
import java.util.Map;

/// Extended attributes of a layer's files. Kept are those in `user.`, and file capabilities of programs. Left
/// out is all that would speak to the host: labels of its security modules, and `trusted.overlay.*`, with
/// which a layer could redirect the overlay above it.
///
/// File capabilities are kept as written, without a root id: on a mount whose ids are mapped the kernel reads them as
/// given by the container's root (capabilities(7), "Namespaced file capabilities"), so they are worth nothing outside
/// the container's user namespace; and with no_new_privs nothing inside it.
final class LayerAttributes {
    private static final String USER = "user.";
    private static final String CAPABILITY = "security.capability";
    /// struct vfs_ns_cap_data, the longest form.
    private static final int LONGEST_CAPABILITY = 24;

    private LayerAttributes() {}

    static void set(TarEntry entry, Fd file, Ownership ownership) {
        for (Map.Entry<String, byte[]> attribute : entry.attributes().entrySet()) {
            String name = attribute.getKey();
            if (name.startsWith(USER)) {
                ExtendedAttributes.set(file, name, attribute.getValue());
            } else if (name.equals(CAPABILITY)
                    && entry.kind() == TarEntry.Kind.FILE
                    && ownership == Ownership.ARCHIVE) {
                setCapability(entry, file, attribute.getValue());
            }
        }
    }

    private static void setCapability(TarEntry entry, Fd file, byte[] value) {
        if (value.length > LONGEST_CAPABILITY) {
            throw unknownForm(entry);
        }
        try {
            ExtendedAttributes.set(file, CAPABILITY, value);
        } catch (ErrnoException e) {
            throw e.is(Errno.EINVAL) ? unknownForm(entry) : e;
        }
    }

    private static ImageException unknownForm(TarEntry entry) {
        return new ImageException(
                Code.BAD_ARCHIVE,
                "the archive gives " + Quoted.of(entry.name())
                        + " capabilities of an unknown form; build the image again");
    }
}
