package io.holdfast.storage.files;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Some power cuts, from one seed: between the steps of a process and in the middle of them. What a
 * cut left is opened, and used before the next one; at the end of a life it goes on as the process.
 */
public abstract class PowerCutLives implements AutoCloseable {
  private static final int LIVES = 3;
  private static final int STEPS = 48;

  protected final Path home;
  protected final Random random;
  protected final long seed;
  private final int imagesPerLife;

  private int lives;
  private int images;
  private long slowestOpenMs;

  /** Whether a moment within an operation can be the one. */
  private boolean cutWithin;

  /**
   * @param home an existing directory, empty
   */
  protected PowerCutLives(Path home, long seed, int imagesPerLife) {
    this.home = home;
    this.seed = seed;
    this.imagesPerLife = imagesPerLife;
    random = new Random(seed);
  }

  /** The disk of the process that runs. */
  protected abstract ShadowDisk disk();

  /** Its directory. */
  protected abstract Path root();

  /** It does something. */
  protected abstract void step() throws Exception;

  /** Uses what the last cut left, if anything did, and removes it. */
  protected abstract void useLast() throws IOException;

  /**
   * Recovers from what a cut left, which is the last one from now on.
   *
   * @return how long that took, ms
   */
  protected abstract long open(Path image) throws IOException;

  /** The process that lost power is gone; the one that recovered goes on. */
  protected abstract void goOnAfterCut() throws IOException;

  /** Ends all processes. */
  protected abstract void end() throws Exception;

  /** Makes the images and recovers from each. */
  public void run() throws Exception {
    for (lives = 0; lives < LIVES; lives++) {
      disk().onEvent(this::perhapsWithin);
      int cuts = images + imagesPerLife;
      for (int step = 0; step < STEPS || images < cuts; step++) {
        cutWithin = images < cuts && random.nextInt(STEPS / imagesPerLife) == 0;
        step();
        if (cutWithin) {
          cutWithin = false;
          cut();
        }
      }
      cut();
      goOnAfterCut();
    }
  }

  private void perhapsWithin() {
    if (cutWithin && random.nextInt(3) == 0) {
      cutWithin = false;
      try {
        cut();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void cut() throws IOException {
    useLast();
    Path image = home.resolve("image" + images++);
    PowerCut.image(disk(), root(), image, random.nextLong());
    slowestOpenMs = Math.max(slowestOpenMs, open(image));
  }

  /** How many images there were. */
  public int images() {
    return images;
  }

  /** How long a recovery took at most. */
  public long slowestOpenMs() {
    return slowestOpenMs;
  }

  /** Removes what was written to a root. */
  protected static void deleteRoot(Path root) throws IOException {
    DurableFiles.deleteTree(Disk.LOCAL, root);
    DurableFiles.deleteTree(Disk.LOCAL, root.resolveSibling(root.getFileName() + "-removed"));
  }

  @Override
  public void close() throws Exception {
    end();
    try (Stream<Path> left = Files.list(home)) {
      for (Path path : left.toList()) {
        DurableFiles.deleteTree(Disk.LOCAL, path);
      }
    }
  }

  /** The mode is said before it. */
  @Override
  public String toString() {
    return " seed " + seed + " life " + lives + " image " + images;
  }
}
