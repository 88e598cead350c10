package io.holdfast.storage.topic;

/**
 * Which format a data directory has: the first one until something in it needs the newest, so that
 * a broker of 1.0 can open it as long as it knows all that is there. It never goes back.
 * Thread-safe.
 */
public final class DataFormat {
  /** What version 1.0 knows. */
  public static final int FIRST = 1;

  /**
   * The newest that this code knows: policies, dead letters, redrives, rewinds, journal files that
   * are used again.
   */
  public static final int NEWEST = 2;

  private int version = FIRST;
  private int versionOnDisk = FIRST;
  private Runnable onNeeded = () -> {};

  /** What {@code meta.json} is to say. */
  public synchronized int version() {
    return version;
  }

  /** There is something that only the newest format has. Any thread, any lock. */
  public void needNewest() {
    Runnable told;
    synchronized (this) {
      if (version == NEWEST) {
        return;
      }
      version = NEWEST;
      told = onNeeded;
    }
    told.run();
  }

  /**
   * Has somebody told when the metadata file is to be written for another format.
   *
   * @param told must not block
   */
  public synchronized void onNeeded(Runnable told) {
    onNeeded = told;
  }

  /** {@code meta.json} says so on the disk. */
  synchronized void isOnDisk(int read) {
    versionOnDisk = Math.max(versionOnDisk, read);
  }

  /** Whether a broker of 1.0 would refuse the directory, whatever happens now. Any thread. */
  public synchronized boolean isNewestOnDisk() {
    return versionOnDisk >= NEWEST;
  }

  /** What is there, or about to be written, has at least this version; nobody is told. */
  synchronized int atLeast(int least) {
    version = Math.max(version, least);
    return version;
  }
}
