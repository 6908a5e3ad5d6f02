package dev.caisson.hostaudit;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// An image: its configuration and history, and what lies in its layers.
///
/// @param created seconds since 1970, 0 where the image does not say
/// @param users how many containers were made from it
/// @param content absent where the layers cannot be read
record ImageFacts(
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
    record Step(String command, String comment, long created, long size) {}

    /// What lies in the layers as they add up.
    ///
    /// @param elevating programs with setuid or setgid bits or file capabilities, with mode or capability
    /// @param packages how many packages the package managers' databases list
    /// @param tools compilers, shells, download tools, package managers and their like, by path
    /// @param secretFiles files that hold private keys or credentials, by path and kind, deleted ones too
    /// @param remoteShells ssh servers, by path
    /// @param billOfMaterials software bills of materials, by path
    record Content(
            int files,
            List<String> elevating,
            int packages,
            List<String> tools,
            List<String> secretFiles,
            List<String> remoteShells,
            List<String> billOfMaterials,
            OptionalLong uidOfUser) {}

    /// As people name it.
    String label() {
        return tags.isEmpty() ? id.replace("sha256:", "").substring(0, 12) : tags.getFirst();
    }
}
