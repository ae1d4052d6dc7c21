"""What the USSD menu says, in English, Swahili, French and Hindi."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attrs import frozen


@frozen
class Wording:
    """One language. Every text but those with digits fits one screen of 160 characters.

    Hindi is written outside the GSM-7 alphabet and takes more pages; the others stay inside it.
    """

    name: str
    home: str
    number: str
    no_number: str
    code: str
    twelve: str
    bad: str
    taken: str
    digits: str
    no_digits: str
    by_sms: str
    refused: str
    share: str
    repeats: str
    none: str
    status: str
    left: str
    help: str
    wrong_key: str
    bye: str
    wait: str
    over: str
    busy: str
    ago: str
    granted: str
    reasons: Mapping[str, str]
    states: Mapping[str, str]


_EN = Wording(
    name="English",
    home="Keys by Sam\n1 Ask for a key\n2 Ask, answer in digits\n3 My last request\n"
    "4 Requests left today\n5 Help\n6 Language",
    number="Number of the other phone:\n0 Menu",
    no_number="That is no phone number. Type it as you dial it, or with its country code:\n0 Menu",
    code="Key with {number}.\nType the 12 digits that your SIM shows for it:\n0 Menu",
    twelve="The code has 12 digits. Type all of them:\n0 Menu",
    bad="Not accepted. Check both numbers and the digits, and type the 12 digits again:\n0 Menu",
    taken="Request {counter} is taken. The answer comes by SMS.\n1 In digits, here\n0 End",
    digits="Type into your SIM: {digits}\n1 Send it by SMS\n0 End",
    no_digits="This answer has no digits. It comes by SMS.\n0 End",
    by_sms="The digits come by SMS.",
    refused="No key: {reason}.\n0 Menu",
    share="Too many requests today. Try again tomorrow.",
    repeats="That was shown too often. Make a new code with your SIM.",
    none="No request of this phone is on record.\n0 Menu",
    status="Request {counter}, {ago}: {state}.\n0 Menu",
    left="Requests left today: {count}.\n0 Menu",
    help="Your SIM shows a code of 12 digits for the number you want a key with. Type both here. "
    "The answer comes by SMS, or in digits to type into your SIM.\n0 Menu",
    wrong_key="Press one of the keys shown.",
    bye="Goodbye.",
    wait="Please wait.\n1 Go on",
    over="This session is over. Please dial again.",
    busy="It does not work just now. Please dial again in a minute.",
    ago="{minutes} min ago",
    granted="a key was given",
    reasons={
        "unknown": "that number is not enrolled",
        "suspended": "your number is suspended",
        "peer-suspended": "that number is suspended",
        "self": "that is your own number",
        "quota": "you had your keys for today",
        "exhausted": "all keys with that number are used",
        "counter-reused": "this code was used before",
        "changed": "that number has a new SIM",
        "behind": "Sam has stopped issuing",
    },
    states={"delivered": "SMS delivered", "failed": "SMS failed", "expired": "SMS failed",
            "accepted": "SMS sent", "": "SMS on its way"},
)  # fmt: skip

_SW = Wording(
    name="Kiswahili",
    home="Funguo za Sam\n1 Omba ufunguo\n2 Omba, jibu kwa tarakimu\n3 Ombi langu la mwisho\n"
    "4 Maombi yaliyobaki leo\n5 Msaada\n6 Lugha",
    number="Namba ya simu ya mwenzako:\n0 Menyu",
    no_number="Hiyo si namba ya simu. Andika kama unavyopiga, au na msimbo wa nchi:\n0 Menyu",
    code="Ufunguo na {number}.\nAndika tarakimu 12 ambazo SIM yako inaonyesha:\n0 Menyu",
    twelve="Msimbo una tarakimu 12. Andika zote:\n0 Menyu",
    bad="Haikukubaliwa. Angalia namba zote mbili na tarakimu, andika tena tarakimu 12:\n0 Menyu",
    taken="Ombi {counter} limepokelewa. Jibu linakuja kwa SMS.\n1 Kwa tarakimu, hapa\n0 Mwisho",
    digits="Andika kwenye SIM yako: {digits}\n1 Tuma kwa SMS\n0 Mwisho",
    no_digits="Jibu hili halina tarakimu. Linakuja kwa SMS.\n0 Mwisho",
    by_sms="Tarakimu zinakuja kwa SMS.",
    refused="Hakuna ufunguo: {reason}.\n0 Menyu",
    share="Maombi mengi mno leo. Jaribu tena kesho.",
    repeats="Imeonyeshwa mara nyingi mno. Tengeneza msimbo mpya kwa SIM yako.",
    none="Hakuna ombi la simu hii.\n0 Menyu",
    status="Ombi {counter}, {ago}: {state}.\n0 Menyu",
    left="Maombi yaliyobaki leo: {count}.\n0 Menyu",
    help="SIM yako inaonyesha msimbo wa tarakimu 12 kwa namba unayotaka ufunguo nayo. Andika vyote "
    "hapa. Jibu linakuja kwa SMS, au kwa tarakimu.\n0 Menyu",
    wrong_key="Bonyeza namba iliyoonyeshwa.",
    bye="Kwaheri.",
    wait="Tafadhali subiri.\n1 Endelea",
    over="Kipindi hiki kimeisha. Tafadhali piga tena.",
    busy="Haifanyi kazi sasa. Tafadhali piga tena baada ya dakika moja.",
    ago="dakika {minutes} zilizopita",
    granted="ufunguo umetolewa",
    reasons={
        "unknown": "namba hiyo haijasajiliwa",
        "suspended": "namba yako imesimamishwa",
        "peer-suspended": "namba hiyo imesimamishwa",
        "self": "hiyo ni namba yako mwenyewe",
        "quota": "umepata funguo zako za leo",
        "exhausted": "funguo zote na namba hiyo zimetumika",
        "counter-reused": "msimbo huu umetumika tayari",
        "changed": "namba hiyo ina SIM mpya",
        "behind": "Sam ameacha kutoa funguo",
    },
    states={"delivered": "SMS imefika", "failed": "SMS imeshindwa", "expired": "SMS imeshindwa",
            "accepted": "SMS imetumwa", "": "SMS iko njiani"},
)  # fmt: skip

_FR = Wording(
    name="Francais",
    home="Clés de Sam\n1 Demander une clé\n2 Demander, réponse en chiffres\n"
    "3 Ma dernière demande\n4 Demandes restantes\n5 Aide\n6 Langue",
    number="Numéro de l'autre téléphone:\n0 Menu",
    no_number="Pas un numéro. Tapez-le comme au téléphone, ou avec l'indicatif du pays:\n0 Menu",
    code="Clé avec {number}.\nTapez les 12 chiffres que votre SIM montre:\n0 Menu",
    twelve="Le code a 12 chiffres. Tapez-les tous:\n0 Menu",
    bad="Refusé. Vérifiez les deux numéros et les chiffres, et retapez les 12 chiffres:\n0 Menu",
    taken="Demande {counter} acceptée. La réponse vient par SMS.\n1 En chiffres, ici\n0 Fin",
    digits="Tapez dans votre SIM: {digits}\n1 Envoyer par SMS\n0 Fin",
    no_digits="Cette réponse n'a pas de chiffres. Elle vient par SMS.\n0 Fin",
    by_sms="Les chiffres viennent par SMS.",
    refused="Pas de clé: {reason}.\n0 Menu",
    share="Trop de demandes aujourd'hui. Réessayez demain.",
    repeats="Montré trop souvent. Faites un nouveau code avec votre SIM.",
    none="Aucune demande de ce téléphone.\n0 Menu",
    status="Demande {counter}, {ago}: {state}.\n0 Menu",
    left="Demandes restantes aujourd'hui: {count}.\n0 Menu",
    help="Votre SIM montre un code de 12 chiffres pour le numéro voulu. Tapez les deux ici. "
    "La réponse vient par SMS, ou en chiffres à taper.\n0 Menu",
    wrong_key="Appuyez sur une des touches.",
    bye="Au revoir.",
    wait="Patientez.\n1 Continuer",
    over="Session finie. Rappelez.",
    busy="Cela ne marche pas pour l'instant. Rappelez dans une minute.",
    ago="il y a {minutes} min",
    granted="clé donnée",
    reasons={
        "unknown": "ce numéro n'est pas inscrit",
        "suspended": "votre numéro est suspendu",
        "peer-suspended": "ce numéro est suspendu",
        "self": "c'est votre propre numéro",
        "quota": "vous avez eu vos clés du jour",
        "exhausted": "toutes les clés avec ce numéro sont prises",
        "counter-reused": "ce code a déjà servi",
        "changed": "ce numéro a une nouvelle SIM",
        "behind": "Sam n'émet plus de clés",
    },
    states={"delivered": "SMS livré", "failed": "SMS perdu", "expired": "SMS perdu",
            "accepted": "SMS envoyé", "": "SMS en route"},
)  # fmt: skip

_HI = Wording(
    name="Hindi",
    home="सैम\n1 कुंजी माँगें\n2 उत्तर अंकों में\n3 पिछला अनुरोध\n4 आज शेष\n5 मदद\n6 भाषा",
    number="दूसरे फ़ोन का नंबर:\n0 मेनू",
    no_number="यह नंबर नहीं है। देश कोड के साथ लिखें:\n0 मेनू",
    code="{number}\nSIM के 12 अंक लिखें:\n0 मेनू",
    twelve="कोड में 12 अंक हैं। सब लिखें:\n0 मेनू",
    bad="स्वीकार नहीं। नंबर जाँचें, 12 अंक फिर लिखें:\n0 मेनू",
    taken="अनुरोध {counter} मिला। उत्तर SMS से।\n1 अंकों में\n0 समाप्त",
    digits="SIM में लिखें: {digits}\n1 SMS से भेजें\n0 समाप्त",
    no_digits="इस उत्तर में अंक नहीं। SMS से आएगा।\n0 समाप्त",
    by_sms="अंक SMS से आएँगे।",
    refused="कुंजी नहीं: {reason}।\n0 मेनू",
    share="आज बहुत अनुरोध हुए। कल फिर करें।",
    repeats="बहुत बार दिखाया। SIM से नया कोड लें।",
    none="इस फ़ोन का कोई अनुरोध नहीं।\n0 मेनू",
    status="अनुरोध {counter}, {ago}: {state}।\n0 मेनू",
    left="आज शेष अनुरोध: {count}\n0 मेनू",
    help="जिस नंबर के लिए कुंजी चाहिए, SIM उसका 12 अंकों का कोड दिखाता है। दोनों यहाँ लिखें। "
    "उत्तर SMS से या अंकों में आता है।\n0 मेनू",
    wrong_key="दिखाई गई कुंजी दबाएँ।",
    bye="नमस्ते।",
    wait="कृपया रुकें।\n1 आगे",
    over="सत्र समाप्त। फिर डायल करें।",
    busy="अभी काम नहीं हो रहा। एक मिनट बाद डायल करें।",
    ago="{minutes} मिनट पहले",
    granted="कुंजी दी गई",
    reasons={
        "unknown": "वह नंबर पंजीकृत नहीं",
        "suspended": "आपका नंबर निलंबित है",
        "peer-suspended": "वह नंबर निलंबित है",
        "self": "यह आपका ही नंबर है",
        "quota": "आज की कुंजियाँ मिल चुकीं",
        "exhausted": "उस नंबर की सब कुंजियाँ लग चुकीं",
        "counter-reused": "यह कोड पहले लग चुका",
        "changed": "उस नंबर का SIM नया है",
        "behind": "सैम ने देना रोका है",
    },
    states={"delivered": "SMS पहुँचा", "failed": "SMS विफल", "expired": "SMS विफल",
            "accepted": "SMS भेजा", "": "SMS रास्ते में"},
)  # fmt: skip

WORDINGS: Mapping[str, Wording] = MappingProxyType({"en": _EN, "sw": _SW, "fr": _FR, "hi": _HI})
"""The languages in which codes are spoken, too."""
