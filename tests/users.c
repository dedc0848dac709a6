/* Gives a program one user more than the system has: USERS_NAME with the password hash USERS_HASH. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pwd.h>
#include <shadow.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_ours(const char *name) {
    const char *ours = getenv("USERS_NAME");
    return ours != NULL && strcmp(name, ours) == 0;
}

struct passwd *getpwnam(const char *name) {
    static struct passwd entry = {.pw_passwd = "x", .pw_gecos = "", .pw_dir = "/", .pw_shell = "/bin/false"};
    if (!is_ours(name)) return ((struct passwd *(*)(const char *))dlsym(RTLD_NEXT, "getpwnam"))(name);
    entry.pw_name = getenv("USERS_NAME");
    entry.pw_uid = getuid();
    entry.pw_gid = getgid();
    return &entry;
}

struct spwd *getspnam(const char *name) {
    static struct spwd entry;
    if (!is_ours(name)) return ((struct spwd *(*)(const char *))dlsym(RTLD_NEXT, "getspnam"))(name);
    entry.sp_namp = getenv("USERS_NAME");
    entry.sp_pwdp = getenv("USERS_HASH");
    return &entry;
}
