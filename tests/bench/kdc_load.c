/* Load for krb5kdc: distinct, real TGS requests over one UDP socket, a window of them at a time.
 *
 *     kdc_load REALM PORT KEYTAB CLIENTS SERVICES WINDOW
 *
 * Gets a TGT for each of the principals c0, c1 ... in KEYTAB from the KDC of its KRB5_CONFIG, says
 * "ready", then obeys lines on standard input. "prepare N" builds N requests for tickets of
 * services drawn from s0, s1 ..., each with its own nonce, subkey and authenticator, and says
 * "prepared". "run" sends them and says how many were answered by a ticket, in how many seconds.
 * Every reply must be a TGS-REP; of each 64th the ticket is decrypted and checked by libkrb5.
 * Anything else ends the program. Built with -lkrb5.
 */
#include <arpa/inet.h>
#include <krb5.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TGS_REP = 0x6d, LARGEST = 8192, CHECKED = 64, PATIENCE_MS = 5000 };

struct request {
    krb5_data octets;
    krb5_tkt_creds_context exchange; /* kept for those whose reply is checked, else NULL */
};

static krb5_context context;
static const char *realm;
static int link_to_kdc, services;
static krb5_ccache *tickets;
static krb5_principal *clients;
static unsigned client_count;

static void insist(krb5_error_code fault, const char *what)
{
    if (!fault)
        return;
    fprintf(stderr, "%s: %s\n", what, krb5_get_error_message(context, fault));
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static krb5_principal principal(char kind, unsigned index)
{
    char name[64];
    krb5_principal made;
    snprintf(name, sizeof name, "%c%u@%s", kind, index, realm);
    insist(krb5_parse_name(context, name, &made), name);
    return made;
}

static void log_in(unsigned index, krb5_keytab keytab)
{
    krb5_creds ticket;
    clients[index] = principal('c', index);
    memset(&ticket, 0, sizeof ticket);
    insist(krb5_get_init_creds_keytab(context, &ticket, clients[index], keytab, 0, NULL, NULL),
           "no TGT");
    insist(krb5_cc_new_unique(context, "MEMORY", NULL, &tickets[index]), "cache");
    insist(krb5_cc_initialize(context, tickets[index], clients[index]), "cache");
    insist(krb5_cc_store_cred(context, tickets[index], &ticket), "cache");
    krb5_free_cred_contents(context, &ticket);
}

static struct request build(unsigned index)
{
    struct request made;
    krb5_creds wanted;
    krb5_data nothing = {0}, whose = {0};
    unsigned flags, client = index % client_count;
    memset(&wanted, 0, sizeof wanted);
    memset(&made, 0, sizeof made);
    wanted.client = clients[client];
    wanted.server = principal('s', random() % services);
    insist(krb5_tkt_creds_init(context, tickets[client], &wanted, KRB5_GC_NO_STORE,
                               &made.exchange), "request");
    insist(krb5_tkt_creds_step(context, made.exchange, &nothing, &made.octets, &whose, &flags),
           "request");
    krb5_free_data_contents(context, &whose);
    krb5_free_principal(context, wanted.server);
    if (index % CHECKED) {
        krb5_tkt_creds_free(context, made.exchange);
        made.exchange = NULL;
    }
    return made;
}

/* Takes the reply to the oldest request that has none, for the KDC answers in order. */
static void take_reply(struct request *request)
{
    char reply[LARGEST];
    struct pollfd wait = {link_to_kdc, POLLIN, 0};
    krb5_data in = {0}, out = {0}, whose = {0};
    unsigned flags;
    if (poll(&wait, 1, PATIENCE_MS) != 1) {
        fprintf(stderr, "the KDC does not answer\n");
        exit(1);
    }
    ssize_t length = recv(link_to_kdc, reply, sizeof reply, 0);
    if (length < 1 || (unsigned char)reply[0] != TGS_REP) {
        fprintf(stderr, "not a TGS-REP: %zd octets\n", length);
        exit(1);
    }
    if (!request->exchange)
        return;
    in.data = reply;
    in.length = length;
    insist(krb5_tkt_creds_step(context, request->exchange, &in, &out, &whose, &flags), "reply");
    if (flags & KRB5_TKT_CREDS_STEP_FLAG_CONTINUE) {
        fprintf(stderr, "a reply without the ticket\n");
        exit(1);
    }
}

static void run(struct request *requests, unsigned count, unsigned window)
{
    unsigned sent = 0, answered = 0;
    double began = now();
    while (answered < count) {
        while (sent < count && sent - answered < window) {
            krb5_data *octets = &requests[sent++].octets;
            if (send(link_to_kdc, octets->data, octets->length, 0) < 0) {
                perror("send");
                exit(1);
            }
        }
        take_reply(&requests[answered++]);
    }
    printf("%u %.6f\n", answered, now() - began);
    for (unsigned i = 0; i < count; i++) {
        krb5_free_data_contents(context, &requests[i].octets);
        if (requests[i].exchange)
            krb5_tkt_creds_free(context, requests[i].exchange);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in kdc = {.sin_family = AF_INET};
    struct request *requests = NULL;
    unsigned count = 0;
    int room = 4 << 20;
    char line[64];
    krb5_keytab keytab;
    if (argc != 7)
        return 2;
    realm = argv[1];
    kdc.sin_port = htons(atoi(argv[2]));
    kdc.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client_count = atoi(argv[4]);
    services = atoi(argv[5]);
    srandom(1978);
    insist(krb5_init_context(&context), "context");
    insist(krb5_kt_resolve(context, argv[3], &keytab), "keytab");
    tickets = calloc(client_count, sizeof *tickets);
    clients = calloc(client_count, sizeof *clients);
    for (unsigned i = 0; i < client_count; i++)
        log_in(i, keytab);
    link_to_kdc = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(link_to_kdc, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (connect(link_to_kdc, (struct sockaddr *)&kdc, sizeof kdc)) {
        perror("connect");
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "prepare %u", &count) == 1) {
            requests = realloc(requests, count * sizeof *requests);
            for (unsigned i = 0; i < count; i++)
                requests[i] = build(i);
            puts("prepared");
        } else {
            run(requests, count, atoi(argv[6]));
            count = 0;
        }
    }
    return 0;
}
