package io.holdfast.storage.log;

import io.holdfast.storage.files.ChronicleSetup;
import java.nio.file.Files;
import java.nio.file.Path;

/** Which names the files of a log can have. */
public final class LogFileNames {
  /** Given by earlier versions to what Chronicle could not open; read as the others are. */
  static final String DAMAGED_SUFFIX = ".damaged";

  /** Chronicle's listing of the directory. */
  static final String LISTING = "metadata.cq4t";

  /** A new file, until Chronicle takes it over by renaming it. */
  private static final String PRECREATED_SUFFIX = ".precreated";

  /** A finished file that is to become a new one; no file of a log is called so. */
  private static final String SPARE_SUFFIX = ".spare";

  /** How Chronicle renames what it is about to remove. */
  private static final String DISCARD_SUFFIX = ".discard";

  /** Leaves room to count on. */
  private static final int LAST_CYCLE = Integer.MAX_VALUE - (1 << 20);

  static {
    // Tools and tests come here, and to Chronicle from here, without the broker's main.
    ChronicleSetup.silence();
  }

  private LogFileNames() {}

  /** The cycle of a file of a log by its name, or -1 when no file of ours is named so. */
  public static int cycleOf(String name) {
    int stem = name.length() - (name.endsWith(DAMAGED_SUFFIX) ? DAMAGED_SUFFIX.length() : 0);
    int cycle = SizeRollCycle.cycleOf(name.substring(0, stem));
    return cycle <= LAST_CYCLE ? cycle : -1;
  }

  /** What the file of a cycle is called. */
  public static String of(int cycle) {
    return SizeRollCycle.fileName(cycle);
  }

  /** Whether a file has a name that earlier versions gave to what Chronicle could not open. */
  public static boolean isDamaged(Path file) {
    return file.getFileName().toString().endsWith(DAMAGED_SUFFIX);
  }

  /** Whether a kill left this: of a roll that it interrupted, or to be used again. */
  public static boolean isLeftover(String name) {
    return name.endsWith(PRECREATED_SUFFIX)
        || name.endsWith(DISCARD_SUFFIX)
        || name.endsWith(SPARE_SUFFIX);
  }

  /** What a file of a log is called between two lives. */
  static String spare(Path file) {
    String name = file.getFileName().toString();
    return name.substring(0, name.length() - SizeRollCycle.SUFFIX.length()) + SPARE_SUFFIX;
  }

  /** Whether Chronicle would take an entry of a log's directory for a file of its own and fail. */
  static boolean isStray(Path entry) {
    int cycle = SizeRollCycle.cycleOf(entry.getFileName().toString());
    return cycle < 0 || cycle > LAST_CYCLE || !Files.isRegularFile(entry);
  }

  /** What the file of a cycle is called before Chronicle takes it over. */
  static String precreated(int cycle) {
    String name = SizeRollCycle.fileName(cycle);
    return name.substring(0, name.length() - SizeRollCycle.SUFFIX.length()) + PRECREATED_SUFFIX;
  }
}
