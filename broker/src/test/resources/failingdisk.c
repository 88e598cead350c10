/*
 * A file system that hands everything on to a directory, but refuses with EIO to read the blocks
 * that a list names, one a line: path below the mount, a blank, offset of the block of 4096 bytes.
 * When the list changes, what the kernel has cached of the files in it is dropped, as by a machine
 * short of memory, also where a process has mapped it; then LIST.seen has the time of the list's
 * last change, in nanoseconds.
 *
 * failingdisk DIRECTORY LIST MOUNTPOINT [options of fuse_main]
 */
#define FUSE_USE_VERSION 31
#define _FILE_OFFSET_BITS 64
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BLOCK 4096
#define MOST 1024

static const char *list_file;
static int root;
static struct fuse *mounted;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { char path[512]; long offset; } bad[MOST];
static int bad_count;

/* What a path of the mount is below the directory. */
static const char *below(const char *path) { return path[1] ? path + 1 : "."; }

static int answer(int result) { return result < 0 ? -errno : result; }

static int is_bad(const char *path, long from, long to) {
  int found = 0;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < bad_count && !found; i++)
    found = bad[i].offset < to && bad[i].offset + BLOCK > from && !strcmp(bad[i].path, below(path));
  pthread_mutex_unlock(&lock);
  return found;
}

/* Takes over the list; whether it is there. */
static int take_list(void) {
  FILE *list = fopen(list_file, "r");
  if (!list) return 0;
  pthread_mutex_lock(&lock);
  bad_count = 0;
  while (bad_count < MOST && fscanf(list, "%511s %ld", bad[bad_count].path, &bad[bad_count].offset) == 2)
    bad_count++;
  pthread_mutex_unlock(&lock);
  fclose(list);
  return 1;
}

static void *watch(void *unused) {
  char seen[512], path[600];
  snprintf(seen, sizeof seen, "%s.seen", list_file);
  struct timespec last = {0, 0}, pause = {0, 10 * 1000 * 1000};
  for (;; nanosleep(&pause, NULL)) {
    struct stat now;
    if (stat(list_file, &now) || (now.st_mtim.tv_sec == last.tv_sec && now.st_mtim.tv_nsec == last.tv_nsec)) continue;
    last = now.st_mtim;
    take_list();
    for (int i = 0; i < bad_count; i++) {
      snprintf(path, sizeof path, "/%.511s", bad[i].path);
      fuse_invalidate_path(mounted, path);
    }
    FILE *done = fopen(seen, "w");
    fprintf(done, "%ld%09ld\n", (long)last.tv_sec, last.tv_nsec);
    fclose(done);
  }
  return unused;
}

static void *on_init(struct fuse_conn_info *conn, struct fuse_config *config) {
  (void)conn;
  config->kernel_cache = 1;
  config->hard_remove = 1;
  config->use_ino = 1;
  mounted = fuse_get_context()->fuse;
  pthread_t thread;
  pthread_create(&thread, NULL, watch, NULL);
  return NULL;
}

static int on_getattr(const char *path, struct stat *to, struct fuse_file_info *file) {
  return answer(file ? fstat(file->fh, to) : fstatat(root, below(path), to, AT_SYMLINK_NOFOLLOW));
}

static int on_readlink(const char *path, char *to, size_t size) {
  ssize_t bytes = readlinkat(root, below(path), to, size - 1);
  if (bytes < 0) return -errno;
  to[bytes] = 0;
  return 0;
}

static int on_readdir(const char *path, void *to, fuse_fill_dir_t fill, off_t from,
                      struct fuse_file_info *file, enum fuse_readdir_flags flags) {
  (void)from, (void)file, (void)flags;
  int fd = openat(root, below(path), O_RDONLY | O_DIRECTORY);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) return -errno;
  for (struct dirent *entry; (entry = readdir(dir));) fill(to, entry->d_name, NULL, 0, 0);
  closedir(dir);
  return 0;
}

static int on_mkdir(const char *path, mode_t mode) { return answer(mkdirat(root, below(path), mode)); }
/* Who makes a file of that name again gets other blocks. */
static int on_unlink(const char *path) {
  pthread_mutex_lock(&lock);
  for (int i = 0; i < bad_count; i++)
    if (!strcmp(bad[i].path, below(path))) bad[i].path[0] = 0;
  pthread_mutex_unlock(&lock);
  return answer(unlinkat(root, below(path), 0));
}

static int on_rmdir(const char *path) { return answer(unlinkat(root, below(path), AT_REMOVEDIR)); }

static int on_rename(const char *from, const char *to, unsigned flags) {
  return answer(renameat2(root, below(from), root, below(to), flags));
}

static int on_chmod(const char *path, mode_t mode, struct fuse_file_info *file) {
  return answer(file ? fchmod(file->fh, mode) : fchmodat(root, below(path), mode, 0));
}

static int on_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *file) {
  return answer(file ? futimens(file->fh, times) : utimensat(root, below(path), times, AT_SYMLINK_NOFOLLOW));
}

static int on_truncate(const char *path, off_t size, struct fuse_file_info *file) {
  if (file) return answer(ftruncate(file->fh, size));
  int fd = openat(root, below(path), O_WRONLY);
  int result = fd < 0 ? -errno : answer(ftruncate(fd, size));
  if (fd >= 0) close(fd);
  return result;
}

static int on_open(const char *path, struct fuse_file_info *file) {
  /* The kernel also reads what is open for writing alone. */
  int flags = (file->flags & O_ACCMODE) == O_WRONLY ? (file->flags & ~O_ACCMODE) | O_RDWR : file->flags;
  file->fh = openat(root, below(path), flags & ~O_APPEND);
  return (int)file->fh < 0 ? -errno : 0;
}

static int on_create(const char *path, mode_t mode, struct fuse_file_info *file) {
  file->fh = openat(root, below(path), O_RDWR | O_CREAT | (file->flags & O_EXCL), mode);
  return (int)file->fh < 0 ? -errno : 0;
}

static int on_read(const char *path, char *to, size_t size, off_t from, struct fuse_file_info *file) {
  return is_bad(path, from, from + size) ? -EIO : answer(pread(file->fh, to, size, from));
}

static int on_write(const char *path, const char *what, size_t size, off_t at, struct fuse_file_info *file) {
  (void)path;
  return answer(pwrite(file->fh, what, size, at));
}

static int on_statfs(const char *path, struct statvfs *to) {
  (void)path;
  return answer(fstatvfs(root, to));
}

static int on_release(const char *path, struct fuse_file_info *file) {
  (void)path;
  return answer(close(file->fh));
}

static int on_fsync(const char *path, int data, struct fuse_file_info *file) {
  (void)path;
  return answer(data ? fdatasync(file->fh) : fsync(file->fh));
}

static int on_fsyncdir(const char *path, int data, struct fuse_file_info *file) {
  (void)path, (void)data, (void)file;
  return 0;
}

static int on_fallocate(const char *path, int mode, off_t from, off_t bytes, struct fuse_file_info *file) {
  (void)path;
  return answer(fallocate(file->fh, mode, from, bytes));
}

static off_t on_lseek(const char *path, off_t from, int whence, struct fuse_file_info *file) {
  (void)path;
  off_t at = lseek(file->fh, from, whence);
  return at < 0 ? -errno : at;
}

static const struct fuse_operations operations = {
    .init = on_init, .getattr = on_getattr, .readlink = on_readlink, .readdir = on_readdir,
    .mkdir = on_mkdir, .unlink = on_unlink, .rmdir = on_rmdir, .rename = on_rename,
    .chmod = on_chmod, .utimens = on_utimens, .truncate = on_truncate, .open = on_open,
    .create = on_create, .read = on_read, .write = on_write, .statfs = on_statfs,
    .release = on_release, .fsync = on_fsync, .fsyncdir = on_fsyncdir,
    .fallocate = on_fallocate, .lseek = on_lseek,
};

int main(int count, char **words) {
  if (count < 4) return 2;
  root = open(words[1], O_RDONLY | O_DIRECTORY);
  list_file = words[2];
  if (root < 0) return 2;
  words[2] = words[0];
  return fuse_main(count - 2, words + 2, &operations, NULL);
}
