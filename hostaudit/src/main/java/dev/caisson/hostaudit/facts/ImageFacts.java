package dev.caisson.hostaudit.facts;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// An image: its configuration and history, and what lies in its layers.
///
/// @param created seconds since 1970, 0 where the image does not say
/// @param users how many containers were made from it
/// @param content absent where the layers cannot be read
public record ImageFacts(
        String id,
        List<String> tags,
        List<String> digests,
        long created,
        String user,
        List<String> healthTest,
        List<String> environment,
        Map<String, String> labels,
        List<String> exposedPorts,
        List<Step> history,
        long size,
        int users,
        Optional<Content> content,
        String contentReason) {
    /// A step of the build, oldest first.
    public record Step(String command, String comment, long created, long size) {}

    /// The files of the layers as they add up.
    ///
    /// @param elevating programs with setuid or setgid bits or file capabilities, with mode or capability
    /// @param packages how many packages the package managers' databases list
    /// @param tools compilers, shells, download tools, package managers and their like, by path
    /// @param secretFiles files that hold private keys or credentials, by path and kind, deleted ones too
    /// @param remoteShells ssh servers, by path
    /// @param billOfMaterials software bills of materials, by path
    /// @param rootNames names of users to whom the image's passwd(5) gives uid 0
    public record Content(
            int files,
            List<String> elevating,
            int packages,
            List<String> tools,
            List<String> secretFiles,
            List<String> remoteShells,
            List<String> billOfMaterials,
            OptionalLong uidOfUser,
            List<String> rootNames) {}

    /// Returns the name that people use.
    public String label() {
        return tags.isEmpty() ? id.replace("sha256:", "").substring(0, 12) : tags.getFirst();
    }

    /// Returns the names to which a passwd(5) gives uid 0. A name that stands there twice is what its first line says.
    public static List<String> rootNames(String passwd) {
        return passwd.lines()
                .map(line -> line.split(":", 2)[0])
                .filter(name -> !name.isEmpty() && uid(name, passwd).orElse(-1) == 0)
                .distinct()
                .sorted()
                .toList();
    }

    /// The uid of `USER`, by number or through the image's own passwd(5).
    public static OptionalLong uid(String user, String passwd) {
        String name = user.split(":", 2)[0];
        if (name.isEmpty()) {
            return OptionalLong.of(0);
        }
        for (String line : passwd.lines().toList()) {
            String[] cells = line.split(":", -1);
            if (cells.length > 2 && cells[0].equals(name) && Numbers.isNumber(cells[2])) {
                return OptionalLong.of(Long.parseLong(cells[2]));
            }
        }
        return Numbers.isNumber(name) ? OptionalLong.of(Long.parseLong(name)) : OptionalLong.empty();
    }
}
