package dev.caisson.image;

/// The machine that an image was built for, in the words of the OCI image specification.
///
/// @param os `linux`
/// @param architecture GOARCH: `amd64`, `arm64`
/// @param variant of the architecture, `v8`; empty where it has none
public record Platform(String os, String architecture, String variant) {
    /// The platform that runs here.
    public static Platform running() {
        String machine = System.getProperty("os.arch");
        return switch (machine) {
            case "aarch64" -> new Platform("linux", "arm64", "v8");
            default -> new Platform("linux", machine, "");
        };
    }

    /// True if every machine of the running kind can run it: a variant above the first needs newer processors.
    boolean runsHere() {
        Platform here = running();
        boolean basic = variant.isEmpty() || variant.equals(here.variant()) || variant.equals("v1");
        return os.equals(here.os()) && architecture.equals(here.architecture()) && basic;
    }

    @Override
    public String toString() {
        return os + "/" + architecture + (variant.isEmpty() ? "" : "/" + variant);
    }
}
