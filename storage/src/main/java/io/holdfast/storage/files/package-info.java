/** Files and directories, what of them is on the disk, and the calls of the C library for it. */
package io.holdfast.storage.files;
