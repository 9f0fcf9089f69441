"""The people: who they are, and how three systems write them down, with what errors.

A person is told by a number. The shop's customers come first, as ``demo/shop/rows/customers.sql``
makes them; leads of the CRM and guests of the website, whom the shop does not know, lie far above.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

from watershed_demo.chance import Dice

LEADS = 10_000_000
GUESTS = 20_000_000
SECOND_ENTRY_EVERY = 33

FIRST_NAMES = (
    *("Anna|anna", "Jürgen|juergen", "Zoë|zoe", "Łukasz|lukasz", "Søren|soren", "Chloé|chloe"),
    *("Max|max", "Mia|mia", "Emma|emma", "José|jose", "Béla|bela", "Željko|zeljko", "Ada|ada"),
    *("Tom|tom", "Ida|ida", "Noah|noah", "Ayşe|ayse", "伟|wei", "Paul|paul", "Sofia|sofia"),
)
LAST_NAMES = (
    *("Müller|mueller", "Schmidt|schmidt", "O'Brien|obrien", "Núñez|nunez", "Kowalska|kowalska"),
    *("Ångström|angstrom", "van der Berg|vanderberg", "Weiß|weiss", "Rossi|rossi"),
    *("Dubois|dubois", "李|li", "Jensen|jensen", "Novák|novak", "Meyer-Lüdenscheid|meyer"),
    "Smith|smith",
)
COUNTRIES = ("DE", "DE", "DE", "DE", "DE", "AT", "CH", "FR", "PL", "NL")
SPELLINGS = {
    "DE": ("DE", "DE", "DE", "de", "Germany", " Deutschland ", "GER"),
    "AT": ("AT", "AT", "at", "Austria", "Österreich"),
    "CH": ("CH", "ch ", "Switzerland"),
    "FR": ("FR", "FR", "fr ", "France"),
    "PL": ("PL", "pl", "Polska"),
    "NL": ("NL", "NL", "The Netherlands"),
}
NO_EMAILS = ("none@example.com", "unknown@example.org", "n/a", "-")
NO_PHONES = ("n/a", "0", "000000", "unknown")


@dataclass(frozen=True)
class Person:
    """Somebody, without an error.

    Attributes:
        number: who this is, in all systems.
        first_name: as the person writes it.
        last_name: likewise.
        email: the usual one; nobody else has it.
        phone: area code and number in Germany, e.g. ``("30", "1234567")``; hardly anybody else's.
        country: ISO 3166-1 alpha-2.
        other_email: another one, which the shop does not know.
        other_phone: another one, which the shop does not know.
    """

    number: int
    first_name: str
    last_name: str
    email: str
    phone: tuple[str, str]
    country: str
    other_email: str
    other_phone: tuple[str, str]

    @property
    def person_id(self) -> str:
        """The name of this person in the file of who is who."""
        return f"person-{self.number}"


@dataclass(frozen=True)
class Noise:
    """How often a field is written in a way that no normalisation mends, as shares of all rows.

    Attributes:
        no_email: missing, empty, or a placeholder that many share.
        wrong_email: one letter too many.
        other_email: the person's other one.
        no_phone: missing, or a placeholder that many share.
        wrong_phone: one digit is another.
        other_phone: the person's other one.
        shared_phone: that of somebody else in the house.
    """

    no_email: float = 0.04
    wrong_email: float = 0.01
    other_email: float = 0.015
    no_phone: float = 0.06
    wrong_phone: float = 0.015
    other_phone: float = 0.02
    shared_phone: float = 0.003


def customer_person(seed: int, customer_id: int) -> Person:
    """Tell who a customer of the shop is; one in 33 is there a second time."""
    is_second_entry = customer_id % SECOND_ENTRY_EVERY == 0
    return person(seed, customer_id - 7 if is_second_entry else customer_id)


@lru_cache(maxsize=65536)
def person(seed: int, number: int) -> Person:
    """Tell the person of a number."""
    dice = Dice(str(seed), "customer", number)
    first, first_ascii = dice.pick(FIRST_NAMES, "first_name").split("|")
    last, last_ascii = dice.pick(LAST_NAMES, "last_name").split("|")
    domain = dice.pick(("com", "org", "net"), "domain")
    return Person(
        number=number,
        first_name=first,
        last_name=last,
        email=f"{first_ascii}.{last_ascii}{number}@example.{domain}",
        phone=("30", f"{round(dice.roll('phone') * 10_000_000):07d}"[:7]),
        country=dice.pick(COUNTRIES, "country"),
        other_email=f"{first_ascii[0]}.{last_ascii}.{number}@work.example.{domain}",
        other_phone=("151", f"{round(dice.roll('mobile') * 100_000_000):08d}"[:8]),
    )


def write_email(who: Person, dice: Dice, noise: Noise) -> str | None:
    """Write an address down: with errors of `Noise`, and in another case, with spaces or a tag."""
    error = dice.roll("email.error")
    if error < noise.no_email:
        return dice.pick((None, None, None, "", *NO_EMAILS[:2], NO_EMAILS[dice.number % 4]), "none")
    error -= noise.no_email
    local, _, domain = who.email.partition("@")
    if error < noise.wrong_email:
        return f"{local[:2]}{local[1:]}@{domain}"
    error -= noise.wrong_email
    if error < noise.other_email:
        return who.other_email
    form = dice.up_to(20, "email.form")
    forms = {
        1: who.email.upper(),
        2: f"  {who.email.title()} ",
        3: f"{who.email} ",
        4: f"{local}+{dice.pick(('news', 'shop'), 'email.tag')}@{domain}",
        5: f"{local}@{domain.upper()}",
    }
    return forms.get(form, who.email)


def write_phone(who: Person, dice: Dice, noise: Noise, *, neighbour: Person) -> str | None:
    """Write a number down: with errors of `Noise`, and in one of the forms people use.

    The form without a country's code is used by people in Germany only, which is where every
    number is.
    """
    error = dice.roll("phone.error")
    if error < noise.no_phone:
        return dice.pick((None, None, None, NO_PHONES[dice.number % 4]), "phone.none")
    area, number = who.phone
    error -= noise.no_phone
    if error < noise.wrong_phone:
        number = number[:4] + str((int(number[4]) + 1) % 10) + number[5:]
    elif error < noise.wrong_phone + noise.other_phone:
        area, number = who.other_phone
    elif error < noise.wrong_phone + noise.other_phone + noise.shared_phone:
        area, number = neighbour.phone
    forms = [
        *(f"+49{area}{number}", f"+49{area}{number}", f"+49 {area} {number}"),
        *(f"0049 ({area}) {number[:3]}/{number[3:]}", f"+49 (0){area} {number[:3]}-{number[3:]}"),
    ]
    if who.country == "DE":
        forms += [f"0{area} {number}", f"0{area}/{number[:3]} {number[3:]}", f"(0{area}) {number}"]
    return dice.pick(forms, "phone.form")


def write_name(who: Person, dice: Dice) -> str | None:
    """Write a name down."""
    first, last = who.first_name, who.last_name
    forms = [f"{first} {last}"] * 12
    forms += [f"{first} {last}".upper(), f"{last}, {first}", f" {first}   {last} ", first]
    return None if dice.happens(0.03, "name.none") else dice.pick(forms, "name.form")


def write_country(who: Person, dice: Dice) -> str | None:
    """Write a country down."""
    if dice.happens(0.04, "country.none"):
        return dice.pick((None, ""), "country.how")
    return dice.pick(SPELLINGS[who.country], "country.form")


def birth_date(who: Person, dice: Dice) -> dt.date | None:
    """Tell when a person was born, or will be, by mistake."""
    if dice.happens(0.1, "birth.none"):
        return None
    if dice.happens(0.01, "birth.error"):
        return dt.date(2060, 1, 1) + dt.timedelta(days=who.number % 3000)
    return dt.date(1940, 1, 1) + dt.timedelta(days=who.number * 7919 % 24000)
