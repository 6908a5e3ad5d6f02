import org.jspecify.annotations.NullMarked;

/// Finds secrets in bytes: tokens by their published forms and check digits, private keys, passwords in
/// URLs and assignments. It reads streams and directories in constant memory, decodes and unpacks to
/// bounds, and never gives a value back: a finding has its place, its rule and how sure it is. Of
/// images it knows how their layers are packed, and nothing of engines and reports.
@NullMarked
module dev.caisson.scan {
    requires transitive dev.caisson.error;
    requires dev.caisson.image;
    requires dev.caisson.linux;
    requires dev.caisson.text;
    requires static transitive org.jspecify;

    exports dev.caisson.scan;
}
