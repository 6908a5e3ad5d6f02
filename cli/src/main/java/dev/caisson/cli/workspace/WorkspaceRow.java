package dev.caisson.cli.workspace;

import dev.caisson.cli.text.SizeText;
import dev.caisson.engine.Workspace;
import dev.caisson.engine.WorkspaceUse;
import java.util.LinkedHashMap;
import java.util.Map;

/// A row of a list of workspaces.
final class WorkspaceRow {
    static final String TABLE = "{{.Name}}\t{{.Size}}\t{{.Used}}\t{{.Inodes}}\t{{.OnDisk}}\t{{.InUse}}";
    static final Map<String, String> HEADERS = Map.of(
            "Name", "NAME",
            "Size", "SIZE",
            "Used", "USED",
            "Inodes", "INODES",
            "OnDisk", "ON DISK",
            "InUse", "IN USE",
            "CreatedAt", "CREATED AT");
    private static final int DIGITS = 4;

    private WorkspaceRow() {}

    /// Texts for people.
    static Map<String, Object> texts(Workspace workspace, WorkspaceUse use) {
        var row = new LinkedHashMap<String, Object>();
        row.put("Name", workspace.name().value());
        row.put("Size", SizeText.of(workspace.size().count(), DIGITS));
        row.put("Used", SizeText.of(use.used().count(), DIGITS));
        row.put("Inodes", use.inodes() + "/" + workspace.inodes());
        row.put("OnDisk", SizeText.of(use.onDisk().count(), DIGITS));
        row.put("InUse", use.inUse() ? "yes" : "no");
        row.put("CreatedAt", workspace.created().toString());
        return row;
    }

    /// Numbers for programs.
    static Map<String, Object> fields(Workspace workspace, WorkspaceUse use) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("name", workspace.name().value());
        fields.put("size", workspace.size().count());
        fields.put("used", use.used().count());
        fields.put("inodes", workspace.inodes());
        fields.put("usedInodes", use.inodes());
        fields.put("onDisk", use.onDisk().count());
        fields.put("inUse", use.inUse());
        fields.put("created", workspace.created().toString());
        return fields;
    }
}
